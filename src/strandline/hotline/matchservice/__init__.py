"""Match service: answers for members who may not hold the list: is this hash listed?

``asking`` reads what is sent, ``standing`` says who asks, ``allowance`` how much they may ask,
``lookup`` finds, ``answering`` says no more than the key may know, ``probing`` notices who feels
for the edge of the list, ``alarms`` tells a manager. May touch: the published list and what is
derived from it in ``home/match``, keys in ``accounts``, scopes in ``hashlist``, the audit chain.
No picture ever comes here, and what was asked is kept nowhere.
"""
